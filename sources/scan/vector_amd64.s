#include "textflag.h"

// Text that is mapped comes from memory, which is slow to answer: it is asked for
// this many bytes before it is looked at. What lies behind the text is not touched by asking.
#define AHEAD 16384

// Four tests of 64 places: the byte at each tested place picks its buckets from
// a table of 16 by its low half (VPSHUFB: none when its top bit is set), and what all four
// have in common passes. 32 places a register, two registers a turn.

// func pass(b *byte, n int, at *[4]int, tables *[4][32]byte) (skip int, mask uint64)
TEXT ·pass(SB), NOSPLIT, $0-48
	MOVQ b+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ at+16(FP), BX
	MOVQ tables+24(FP), DX
	MOVQ 0(BX), R8
	MOVQ 8(BX), R9
	MOVQ 16(BX), R10
	MOVQ 24(BX), R11
	ADDQ SI, R8
	ADDQ SI, R9
	ADDQ SI, R10
	ADDQ SI, R11
	VMOVDQU 0(DX), Y0
	VMOVDQU 32(DX), Y1
	VMOVDQU 64(DX), Y2
	VMOVDQU 96(DX), Y3
	XORQ AX, AX

turn:
	CMPQ AX, CX
	JGE  none
	PREFETCHT0 AHEAD(SI)(AX*1)
	VPSHUFB (R8)(AX*1), Y0, Y4
	VPSHUFB 32(R8)(AX*1), Y0, Y8
	VPSHUFB (R9)(AX*1), Y1, Y5
	VPSHUFB 32(R9)(AX*1), Y1, Y9
	VPAND Y4, Y5, Y4
	VPAND Y8, Y9, Y8
	VPSHUFB (R10)(AX*1), Y2, Y6
	VPSHUFB 32(R10)(AX*1), Y2, Y10
	VPSHUFB (R11)(AX*1), Y3, Y7
	VPSHUFB 32(R11)(AX*1), Y3, Y11
	VPAND Y6, Y7, Y6
	VPAND Y10, Y11, Y10
	VPAND Y4, Y6, Y4
	VPAND Y8, Y10, Y8
	VPOR  Y4, Y8, Y5
	VPTEST Y5, Y5
	JNZ  some
	ADDQ $64, AX
	JMP  turn

some:
	VPXOR Y5, Y5, Y5
	VPCMPEQB Y4, Y5, Y4
	VPCMPEQB Y8, Y5, Y8
	VPMOVMSKB Y4, R8
	VPMOVMSKB Y8, R9
	SHLQ $32, R9
	ORQ  R9, R8
	NOTQ R8
	VZEROUPPER
	MOVQ AX, skip+32(FP)
	MOVQ R8, mask+40(FP)
	RET

none:
	VZEROUPPER
	MOVQ AX, skip+32(FP)
	MOVQ $0, mask+40(FP)
	RET

// Of each 64 bytes the newlines become a mask. Two of its bits are written out
// whether they are there or not, for most words have none or one, and a jump that depends on it
// would be guessed wrong as often as lines end.

// func ends(out *uint16, b *byte, n int) (count int)
TEXT ·ends(SB), NOSPLIT, $0-32
	MOVQ out+0(FP), DI
	MOVQ b+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ $10, AX // a newline
	MOVQ AX, X0
	VPBROADCASTB X0, Y0
	XORQ AX, AX
	MOVQ DI, DX

word:
	CMPQ AX, CX
	JGE  done
	PREFETCHT0 AHEAD(SI)(AX*1)
	VPCMPEQB (SI)(AX*1), Y0, Y1
	VPCMPEQB 32(SI)(AX*1), Y0, Y2
	VPMOVMSKB Y1, R8
	VPMOVMSKB Y2, R9
	SHLQ $32, R9
	ORQ  R9, R8
	POPCNTQ R8, R10
	TZCNTQ R8, R11
	ADDQ AX, R11
	MOVW R11, (DI)
	BLSRQ R8, R8
	TZCNTQ R8, R11
	ADDQ AX, R11
	MOVW R11, 2(DI)
	CMPQ R10, $2
	JHI  more
	LEAQ (DI)(R10*2), DI
	ADDQ $64, AX
	JMP  word

more:
	ADDQ $4, DI
	BLSRQ R8, R8

next:
	TZCNTQ R8, R11
	ADDQ AX, R11
	MOVW R11, (DI)
	ADDQ $2, DI
	BLSRQ R8, R8
	JNZ  next
	ADDQ $64, AX
	JMP  word

done:
	VZEROUPPER
	SUBQ DX, DI
	SHRQ $1, DI
	MOVQ DI, count+24(FP)
	RET
