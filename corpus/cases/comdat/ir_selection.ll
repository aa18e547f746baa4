; /* LLVM IR: link-once functions and a COMDAT that ties a variable to a function; the first module's are kept. */
; call: first() = 11i32
; call: second() = 11i32
$pair = comdat any
@pair_data = linkonce_odr global i32 10, comdat($pair)
define linkonce_odr i32 @pair() noinline comdat {
  %v = load volatile i32, ptr @pair_data
  %r = add i32 %v, 1
  ret i32 %r
}
define i32 @first() {
  %r = call i32 @pair()
  ret i32 %r
}

;--- second.ll
$pair = comdat any
@pair_data = linkonce_odr global i32 10, comdat($pair)
define linkonce_odr i32 @pair() noinline comdat {
  %v = load volatile i32, ptr @pair_data
  %r = add i32 %v, 1
  ret i32 %r
}
define i32 @second() {
  %r = call i32 @pair()
  ret i32 %r
}
