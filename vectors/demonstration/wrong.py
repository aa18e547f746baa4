"""The same with a wrong shift, which a checker has to find. SPDX-License-Identifier: MIT OR Apache-2.0"""

import right

right.SHIFT = 1
relocate = right.relocate
