/* SPDX-License-Identifier: MIT */
#include "cli/rpc_fields.h"

#include <errno.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"

#define NO_TLS "page servers speak plain TCP: send it through a tunnel (ps.fd) instead"
#define FIXED_PROPERTIES "which properties of control groups are kept is fixed"
#define SHARED "the tree is in pcr's own namespaces"

static const struct {
	const char *name;
	bool refused;
	const char *why;
} fields[] = {
	{ "cgroup_props", true, FIXED_PROPERTIES },
	{ "cgroup_props_file", true, FIXED_PROPERTIES },
	{ "lsm_profile", true, "no security module's profiles are restored" },
	{ "tls", true, NO_TLS },
	{ "tls_cacert", true, NO_TLS },
	{ "tls_cacrl", true, NO_TLS },
	{ "tls_cert", true, NO_TLS },
	{ "tls_key", true, NO_TLS },
	{ "tls_no_cn_verify", true, NO_TLS },
	{ "root", false, SHARED },
	{ "veths", false, SHARED },
	{ "ext_mnt", false, SHARED },
	{ "auto_ext_mnt", false, SHARED },
	{ "ext_sharing", false, SHARED },
	{ "ext_masters", false, SHARED },
	{ "skip_mnt", false, SHARED },
	{ "enable_fs", false, SHARED },
	{ "empty_ns", false, SHARED },
	{ "weak_sysctls", false, SHARED },
	{ "mntns_compat_mode", false, SHARED },
	{ "lsm_mount_context", false, SHARED },
	{ "orphan_pts_master", false, "a terminal whose master is outside the tree takes shell_job, or external and inherit_fd" },
	{ "force_irmap", false, "watches are always noted by path" },
	{ "irmap_scan_paths", false, "watches are always noted by path" },
	{ "freeze_cgroup", false, "tasks are stopped one by one all the same" },
};

/* Whether the message holds a value for the field that says anything: a false bool does not. */
static bool is_set(const CriuOpts *opts, const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)opts;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return *(const size_t *)(base + field->quantifier_offset) > 0;
	if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(const void *const *)(base + field->offset) != NULL;
	if (field->label == PROTOBUF_C_LABEL_OPTIONAL && !*(const protobuf_c_boolean *)(base + field->quantifier_offset))
		return false;
	return field->type != PROTOBUF_C_TYPE_BOOL || *(const protobuf_c_boolean *)(base + field->offset);
}

int rpc_fields_check(const CriuOpts *opts)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(&criu_opts__descriptor, fields[i].name);

		if (!field || !is_set(opts, field))
			continue;
		if (fields[i].refused)
			return err_set(ENOTSUP, "option %s is not done: %s", fields[i].name, fields[i].why);
		pr_info("option %s changes nothing: %s", fields[i].name, fields[i].why);
	}
	if (opts->base.n_unknown_fields)
		return err_set(ENOTSUP, "option number %u is not known", opts->base.unknown_fields[0].tag);
	return 0;
}
