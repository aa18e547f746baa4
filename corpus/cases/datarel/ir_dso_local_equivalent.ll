; /* The distance to a function as clang writes it for relative tables of virtual functions. */
; arch: aarch64
; layout: near far
; call: run(4i32) = 44i32
; covers: R_AARCH64_PLT32
@table = hidden constant i32 trunc (i64 sub (i64 ptrtoint (ptr dso_local_equivalent @target to i64), i64 ptrtoint (ptr @table to i64)) to i32)
declare i32 @target(i32)
define i32 @run(i32 %x) {
  %d = load volatile i32, ptr @table
  %w = sext i32 %d to i64
  %f = getelementptr i8, ptr @table, i64 %w
  %r = call i32 %f(i32 %x)
  %s = add i32 %r, 4
  ret i32 %s
}

;--- target.ll
define i32 @target(i32 %x) {
  %r = mul i32 %x, 10
  ret i32 %r
}
