/* SPDX-License-Identifier: MIT */
#include "common/capability.h"

#include <sys/syscall.h>
#include <unistd.h>

bool has_capability(int capability)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	return syscall(SYS_capget, &header, data) == 0 && data[capability / 32].effective >> (capability % 32) & 1;
}
