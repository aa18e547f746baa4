/* Every condition on a branch to another object: the upper four bits stay as they are. */
// arch: armv7
// for: CONDITION = eq ne cs cc mi pl vs vc hi ls ge lt gt le
// call: check() = 1i32
// covers: R_ARM_JUMP24
#define GLUE(a, b) a##b
#define BRANCH(c) GLUE(b, c)
#define MOVE(c) GLUE(mov, c)
    .syntax unified
    .text
    .arm
    .globl check
    .type check, %function
check:                           // the branch must be taken exactly when MOVcc moves
    mov  r2, #1
    mov  r0, #0
next:
    mov  r1, #0
    rsb  r3, r0, #2
    cmp  r0, r3
    MOVE(CONDITION) r1, #1
    BRANCH(CONDITION) taken
    cmp  r1, #0
    movne r2, #0
    b    back

    .globl back
    .type back, %function
back:
    add  r0, r0, #1
    cmp  r0, #4
    bne  next
    mov  r0, r2
    bx   lr

//--- taken.S
    .syntax unified
    .text
    .arm
    .globl taken
    .type taken, %function
taken:
    cmp  r1, #1
    movne r2, #0
    b    back
