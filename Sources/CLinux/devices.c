// The device rules of a cgroup v2: a BPF program, since v2 has no devices controller (bpf(2), BPF_PROG_TYPE_CGROUP_DEVICE).
#define _GNU_SOURCE
#include "CLinux.h"

#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSTRUCTION(code_, dst, src, off_, imm_) \
    ((struct bpf_insn){.code = (code_), .dst_reg = (dst), .src_reg = (src), .off = (off_), .imm = (imm_)})
#define LOAD(dst, offset) INSTRUCTION(BPF_LDX | BPF_MEM | BPF_W, dst, BPF_REG_1, offset, 0)
#define JUMP_IF_EQUAL(reg, value, to) INSTRUCTION(BPF_JMP | BPF_JEQ | BPF_K, reg, 0, to, value)
#define JUMP_IF_NOT(reg, value, to) INSTRUCTION(BPF_JMP | BPF_JNE | BPF_K, reg, 0, to, value)
#define JUMP(to) INSTRUCTION(BPF_JMP | BPF_JA, 0, 0, to, 0)
#define SET(reg, value) INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, value)

int soulbox_restrict_devices(int group) {
    static const char licence[] = "GPL";
    const struct bpf_insn program[] = {
        /*  0 */ LOAD(BPF_REG_2, 0),                                          // access << 16 | type
        /*  1 */ LOAD(BPF_REG_3, 4),                                          // major
        /*  2 */ LOAD(BPF_REG_4, 8),                                          // minor
        /*  3 */ INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_5, BPF_REG_2, 0, 0),
        /*  4 */ INSTRUCTION(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_5, 0, 0, 0xFFFF),
        /*  5 */ JUMP_IF_NOT(BPF_REG_5, BPF_DEVCG_DEV_CHAR, 13),              // block device: deny
        /*  6 */ INSTRUCTION(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, BPF_DEVCG_ACC_MKNOD << 16),
        /*  7 */ JUMP_IF_NOT(BPF_REG_2, 0, 11),                               // mknod: deny
        /*  8 */ JUMP_IF_EQUAL(BPF_REG_3, 136, 12),                           // pseudo-terminals
        /*  9 */ JUMP_IF_EQUAL(BPF_REG_3, 1, 3),
        /* 10 */ JUMP_IF_NOT(BPF_REG_3, 5, 8),
        /* 11 */ JUMP_IF_EQUAL(BPF_REG_4, 0, 9),                              // tty
        /* 12 */ JUMP_IF_EQUAL(BPF_REG_4, 2, 8),                              // ptmx
        /* 13 */ JUMP_IF_NOT(BPF_REG_3, 1, 5),
        /* 14 */ JUMP_IF_EQUAL(BPF_REG_4, 3, 6),                              // null
        /* 15 */ JUMP_IF_EQUAL(BPF_REG_4, 5, 5),                              // zero
        /* 16 */ JUMP_IF_EQUAL(BPF_REG_4, 7, 4),                              // full
        /* 17 */ JUMP_IF_EQUAL(BPF_REG_4, 8, 3),                              // random
        /* 18 */ JUMP_IF_EQUAL(BPF_REG_4, 9, 2),                              // urandom
        /* 19 */ SET(BPF_REG_0, 0),
        /* 20 */ INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
        /* 21 */ SET(BPF_REG_0, 1),
        /* 22 */ INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    };
    union bpf_attr load;
    memset(&load, 0, sizeof load);
    load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    load.insns = (uint64_t)(uintptr_t)program;
    load.insn_cnt = sizeof program / sizeof program[0];
    load.license = (uint64_t)(uintptr_t)licence;
    int loaded = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
    if (loaded < 0) return -1;
    union bpf_attr attach;
    memset(&attach, 0, sizeof attach);
    attach.target_fd = (uint32_t)group;
    attach.attach_bpf_fd = (uint32_t)loaded;
    attach.attach_type = BPF_CGROUP_DEVICE;
    int result = (int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach);
    close(loaded);
    return result;
}
