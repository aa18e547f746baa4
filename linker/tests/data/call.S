	.text
	.global caller
	.type caller, %function
caller:
	bl callee
	ret
