// libcap, whole; the kernel's last capability is a macro.
#pragma once

#include <linux/capability.h>
#include <sys/capability.h>
