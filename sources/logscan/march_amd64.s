#include "go_asm.h"
#include "textflag.h"

// Of two digits each a number below 100, of two of these one below 10,000.
DATA pairs<>+0(SB)/8, $0x010a010a010a010a
DATA pairs<>+8(SB)/8, $0x010a010a010a010a
GLOBL pairs<>(SB), RODATA|NOPTR, $16
DATA fours<>+0(SB)/8, $0x0001006400010064
DATA fours<>+8(SB)/8, $0x0001006400010064
GLOBL fours<>(SB), RODATA|NOPTR, $16

// func marchLines(h *heads, c *cover, b *byte, start int, ends *uint16, n int) (done int)
TEXT ·marchLines(SB), NOSPLIT, $0-56
	MOVQ h+0(FP), DI
	MOVQ c+8(FP), SI
	MOVQ b+16(FP), BX
	MOVQ start+24(FP), R8
	MOVQ ends+32(FP), R9
	MOVQ n+40(FP), R10
	VMOVDQU heads_mask(DI), Y0
	VMOVDQU heads_form(DI), Y1
	VMOVDQU heads_tick(DI), X2
	VMOVDQU heads_six(DI), X3
	VMOVDQU heads_check(DI), X4
	VMOVDQU heads_shuffle(DI), X5
	VMOVDQU pairs<>(SB), X6
	VMOVDQU fours<>(SB), X7
	VPBROADCASTB heads_sign(DI), Y10
	MOVQ heads_from(DI), R11
	MOVQ cover_high(SI), R12
	XORQ AX, AX

line:
	CMPQ AX, R10
	JGE  out
	MOVWQZX (R9)(AX*2), CX
	MOVQ CX, DX
	SUBQ R8, DX // its length
	CMPQ DX, $32
	JLT  out
	LEAQ (BX)(R8*1), R13
	CMPB heads_moves(DI), $0
	JEQ  stands

	// The text stands where the first of its signs is.
	VPCMPEQB (R13), Y10, Y8
	VPMOVMSKB Y8, R11
	TESTL R11, R11
	JEQ  out
	TZCNTL R11, R11
	SUBQ heads_before(DI), R11
	JLT  out

stands:
	SUBQ R11, DX
	CMPQ DX, heads_need(DI)
	JLT  out

	// The text up to the minute is the same.
	ADDQ R11, R13
	VPXOR (R13), Y1, Y8
	VPTEST Y8, Y0
	JNZ  out

	// Digits are digits, and the rest is as it was.
	MOVQ heads_to(DI), DX
	VPXOR (R13)(DX*1), X2, X8
	VPADDB X8, X3, X9
	VPOR X8, X9, X9
	VPTEST X9, X4
	JNZ  out
	MOVQ heads_next(DI), DX
	MOVBQZX (R13)(DX*1), DX
	MOVQ heads_stop(DI), R13
	CMPB (R13)(DX*1), $0
	JNE  out

	// Twelve digits: 0SSf, ffff, ffff.
	VPSHUFB X5, X8, X8
	VPMADDUBSW X6, X8, X8
	VPMADDWD X7, X8, X8
	VMOVD X8, DX
	CMPL DX, $609 // the second 60 and nine tenths
	JHI  out
	VPEXTRD $1, X8, R13
	IMUL3Q $100000000, DX, DX
	IMUL3Q $10000, R13, R13
	ADDQ R13, DX
	VPEXTRD $2, X8, R13
	ADDQ R13, DX
	ADDQ heads_base(DI), DX

	// As cover.next.
	CMPQ DX, cover_from(SI)
	JLT  out
	CMPQ DX, cover_to(SI)
	JGE  out
	MOVQ DX, R13
	SUBQ R12, R13
	JLT  out
	CMPQ R13, cover_least(SI)
	JGT  out
	MOVQ DX, R12
	LEAQ 1(R13)(R13*1), R13
	BSRQ R13, R13
	INCQ cover_rhythm(SI)(R13*8)
	LEAQ 1(CX), R8
	INCQ AX
	JMP  line

out:
	MOVQ R12, cover_high(SI)
	VZEROUPPER
	MOVQ AX, done+48(FP)
	RET
