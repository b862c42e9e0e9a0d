// libseccomp's function-like macros do not reach Swift; each gets a name here.
#pragma once

#include <errno.h>
#include <seccomp.h>

static inline uint32_t soulbox_act_errno(uint16_t code) { return SCMP_ACT_ERRNO(code); }
static inline uint32_t soulbox_act_allow(void) { return SCMP_ACT_ALLOW; }
static inline uint32_t soulbox_act_kill_process(void) { return SCMP_ACT_KILL_PROCESS; }

// The comparison is a C enumeration inside a structure with variadic helpers; a plain function is easier to call.
static inline struct scmp_arg_cmp soulbox_compare(unsigned argument, int operation, uint64_t first, uint64_t second) {
    struct scmp_arg_cmp comparison = {argument, (enum scmp_compare)operation, first, second};
    return comparison;
}
