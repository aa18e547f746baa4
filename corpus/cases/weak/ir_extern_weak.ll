; /* LLVM IR: an external weak function that is not there, and one that is. */
; call: absent() = 1i32
; call: present(4i32) = 5i32
declare extern_weak i32 @missing(i32)
declare extern_weak i32 @there(i32)
define i32 @absent() {
  %c = icmp eq ptr @missing, null
  %r = zext i1 %c to i32
  ret i32 %r
}
define i32 @present(i32 %x) {
  %c = icmp eq ptr @there, null
  br i1 %c, label %no, label %yes
yes:
  %r = call i32 @there(i32 %x)
  ret i32 %r
no:
  ret i32 0
}

;--- there.ll
define i32 @there(i32 %x) {
  %r = add i32 %x, 1
  ret i32 %r
}
