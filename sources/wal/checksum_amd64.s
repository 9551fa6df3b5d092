#include "textflag.h"

// func sums(page *byte, at *uint32, n int) uint32
//
// Of each record: 8 bytes at a time what follows the 24 bytes of its header, the rest of it, then the first 20 bytes of the header. The
// bits by which a sum differs from the one at offset 20 are gathered in R11.
TEXT ·sums(SB), NOSPLIT, $0-28
	MOVQ page+0(FP), R8
	MOVQ at+8(FP), R9
	MOVQ n+16(FP), R10
	XORL R11, R11

record:
	MOVL (R9), DI
	ADDQ R8, DI
	MOVL (DI), CX
	LEAQ 24(DI), SI
	SUBQ $24, CX
	MOVL $0xffffffff, AX
	CMPQ CX, $32
	JB   rest

words:
	CRC32Q 0(SI), AX
	CRC32Q 8(SI), AX
	CRC32Q 16(SI), AX
	CRC32Q 24(SI), AX
	ADDQ   $32, SI
	SUBQ   $32, CX
	CMPQ   CX, $32
	JAE    words

rest:
	TESTQ  $16, CX
	JZ     eight
	CRC32Q 0(SI), AX
	CRC32Q 8(SI), AX
	ADDQ   $16, SI

eight:
	TESTQ  $8, CX
	JZ     four
	CRC32Q 0(SI), AX
	ADDQ   $8, SI

four:
	TESTQ  $4, CX
	JZ     two
	CRC32L 0(SI), AX
	ADDQ   $4, SI

two:
	TESTQ  $2, CX
	JZ     one
	CRC32W 0(SI), AX
	ADDQ   $2, SI

one:
	TESTQ  $1, CX
	JZ     header
	CRC32B 0(SI), AX

header:
	CRC32Q 0(DI), AX
	CRC32Q 8(DI), AX
	CRC32L 16(DI), AX
	NOTL   AX
	XORL   20(DI), AX
	ORL    AX, R11
	ADDQ   $4, R9
	DECQ   R10
	JNZ    record
	MOVL   R11, ret+24(FP)
	RET
