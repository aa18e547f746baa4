/* The same with a wrong shift, which a checker has to find. SPDX-License-Identifier: MIT OR Apache-2.0 */
#define BRANCH_SHIFT 3
#include "right.c"
