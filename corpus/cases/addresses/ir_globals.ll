; /* LLVM IR: globals of both modules, local, external, constant expressions with offsets. */
; call: load() = 33i32
; call: where() = &array+8
; memory: written = 33i32
@array = external global [4 x i32]
@pointer = internal constant ptr getelementptr ([4 x i32], ptr @array, i32 0, i32 2)
@written = global i32 0
define i32 @load() {
  %p = load volatile ptr, ptr @pointer
  %v = load i32, ptr %p
  store i32 %v, ptr @written
  ret i32 %v
}
define ptr @where() {
  %p = load volatile ptr, ptr @pointer
  ret ptr %p
}

;--- array.ll
@array = global [4 x i32] [i32 11, i32 22, i32 33, i32 44]
