; /* LLVM IR: calls between modules, an alias and a tail call. */
; call: first(5i32) = 62i32
; call: by_alias(5i32) = 62i32
declare i32 @second(i32)
@by_alias = alias i32 (i32), ptr @first
define i32 @first(i32 %x) {
  %a = add i32 %x, 1
  %r = tail call i32 @second(i32 %a)
  %s = add i32 %r, 2
  ret i32 %s
}

;--- second.ll
define i32 @second(i32 %x) {
  %r = mul i32 %x, 10
  ret i32 %r
}
