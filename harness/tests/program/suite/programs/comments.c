/* { dg-do run } */
/* { dg-additional-options "-DASKED" } */
/* { dg-additional-options "-DWRONG" { target x86_64-*-* } } */
/* { dg-skip-if "it is for AArch64" { arm*-*-* } } */
#if !defined ASKED || defined WRONG
#error "the comments are not followed"
#endif
int main(void) { return 0; }
