/* SPDX-License-Identifier: MIT */
#include "resource/cpuinfo.h"

#include <cpuid.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "images/cpuinfo.pb-c.h"

#define WORDS 19
#define CAPABILITY_VER 2
#define XFEATURE_SSE 2u /* every x86-64 has it, and CRIU leaves it out */

/* cpuinfo_x86_entry.capability, word by word, as crit shows it beside cpuid's answers. Words that are not here are the Linux kernel's own
 * findings (arch/x86/include/asm/cpufeatures.h); they are written as 0 and not compared. */
static const struct {
	unsigned int word, leaf, subleaf;
	char reg;
} sources[] = {
	{ 0, 1, 0, 'd' },  { 1, 0x80000001, 0, 'd' }, { 4, 1, 0, 'c' },  { 6, 0x80000001, 0, 'c' },  { 9, 7, 0, 'b' },
	{ 10, 0xd, 1, 'a' }, { 11, 7, 0, 'c' },	      { 13, 0x80000008, 0, 'b' }, { 14, 6, 0, 'a' }, { 18, 7, 0, 'd' },
};

/* OSXSAVE and the like say what a system has switched on, APIC ids and hypervisors come and go: none is an instruction that a program has used. */
static const struct {
	unsigned int word;
	uint32_t bits;
} not_compared[] = { { 0, 1u << 28 /* HT */ }, { 4, 1u << 31 | 1u << 3 /* hypervisor, monitor */ }, { 14, ~0u /* power */ }, { 13, 0x7ffff000 /* speculation */ }, { 18, 0xfc000000 } };

int cpu_cap_parse(const char *text, uint32_t *caps)
{
	static const struct {
		const char *name;
		uint32_t caps;
	} names[] = { { "cpu", CPU_CAP_CPU }, { "fpu", CPU_CAP_FPU }, { "ins", CPU_CAP_INS }, { "all", CPU_CAP_ALL } };
	auto_free char *list = xstrdup(text ? text : "all");
	char *rest = NULL;

	*caps = *list == '^' ? CPU_CAP_DEFAULT : 0;
	for (char *word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		bool away = *word == '^', known = false;

		if (!strcmp(word, "none")) {
			*caps = 0;
			continue;
		}
		for (size_t i = 0; i < ARRAY_LEN(names) && !known; i++) {
			known = !strcmp(word + away, names[i].name);
			if (known && away)
				*caps &= ~names[i].caps;
			else if (known)
				*caps |= names[i].caps;
		}
		if (!known)
			return err_set(EINVAL, "--cpu-cap: '%s': cpu, fpu, ins, all and none are there, and ^ takes one away", word);
	}
	return 0;
}

static uint32_t ask(unsigned int leaf, unsigned int subleaf, char reg)
{
	unsigned int a = 0, b = 0, c = 0, d = 0;

	if (!__get_cpuid_count(leaf, subleaf, &a, &b, &c, &d))
		return 0;
	return reg == 'a' ? a : reg == 'b' ? b : reg == 'c' ? c : d;
}

static CpuinfoX86Entry__Vendor vendor(void)
{
	unsigned int a = 0, name[3] = { 0 };

	__get_cpuid(0, &a, &name[0], &name[2], &name[1]);
	if (!memcmp(name, "GenuineIntel", 12))
		return CPUINFO_X86_ENTRY__VENDOR__INTEL;
	return memcmp(name, "AuthenticAMD", 12) ? CPUINFO_X86_ENTRY__VENDOR__UNKNOWN : CPUINFO_X86_ENTRY__VENDOR__AMD;
}

/* The brand string, 48 bytes at most, without the spaces around it. */
static void brand(char text[49])
{
	unsigned int words[12] = { 0 };
	char *start = (char *)words, *end;

	for (unsigned int i = 0; i < 3; i++)
		__get_cpuid(0x80000002 + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]);
	memcpy(text, start, 48);
	text[48] = 0;
	start = text + strspn(text, " ");
	end = start + strlen(start);
	while (end > start && end[-1] == ' ')
		end--;
	*end = 0;
	memmove(text, start, end - start + 1);
}

static uint64_t xfeatures(void)
{
	unsigned int a = 0, b = 0, c = 0, d = 0;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 3;
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return a | (uint64_t)d << 32;
}

/* capability points to WORDS words, model_id to 49 bytes. */
static void look(CpuinfoX86Entry *e, uint32_t *capability, char *model_id)
{
	uint32_t version = ask(1, 0, 'a'), family = version >> 8 & 15, model = version >> 4 & 15;

	cpuinfo_x86_entry__init(e);
	e->vendor_id = vendor();
	/* Intel SDM, CPUID, leaf 1 */
	if (family >= 6)
		model |= version >> 12 & 0xf0;
	if (family == 15)
		family += version >> 20 & 0xff;
	e->cpu_family = family;
	e->model = model;
	e->stepping = version & 15;
	e->capability_ver = CAPABILITY_VER;
	memset(capability, 0, WORDS * sizeof(*capability));
	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		capability[sources[i].word] = ask(sources[i].leaf, sources[i].subleaf, sources[i].reg);
	e->n_capability = WORDS;
	e->capability = capability;
	brand(model_id);
	e->model_id = model_id;
	e->has_xfeatures_mask = e->has_xsave_size = e->has_xsave_size_max = true;
	e->xfeatures_mask = xfeatures() & ~XFEATURE_SSE;
	e->xsave_size = ask(0xd, 0, 'b');
	e->xsave_size_max = ask(0xd, 0, 'c');
}

int cpuinfo_write(int dirfd)
{
	CpuinfoEntry entry = CPUINFO_ENTRY__INIT;
	CpuinfoX86Entry x86, *list = &x86;
	uint32_t capability[WORDS];
	char model_id[49];
	struct img *img = img_create(dirfd, IMG_CPUINFO, 0);

	if (!img)
		return -1;
	look(&x86, capability, model_id);
	entry.n_x86_entry = 1;
	entry.x86_entry = &list;
	if (img_write(img, &entry.base) < 0) {
		img_close(img);
		return -1;
	}
	return img_close(img);
}

static int compare_instructions(const CpuinfoX86Entry *image, const CpuinfoX86Entry *here, bool same)
{
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		unsigned int word = sources[i].word;
		uint32_t mask = ~0u, differ;

		if (word >= image->n_capability)
			continue;
		for (size_t n = 0; n < ARRAY_LEN(not_compared); n++)
			if (not_compared[n].word == word)
				mask &= ~not_compared[n].bits;
		differ = (same ? image->capability[word] ^ here->capability[word] : image->capability[word] & ~here->capability[word]) & mask;
		if (differ)
			return err_set(ENOTSUP, "cpuinfo.img: this processor %s features of cpuid leaf 0x%x, register e%cx: bits 0x%x (dumped on %s)",
				       same ? "differs in" : "lacks", sources[i].leaf, sources[i].reg, differ,
				       image->model_id ? image->model_id : "another");
	}
	return 0;
}

static int compare(const CpuinfoX86Entry *image, uint32_t caps)
{
	CpuinfoX86Entry here;
	uint32_t capability[WORDS];
	char model_id[49];

	look(&here, capability, model_id);
	if (image->vendor_id != here.vendor_id)
		return err_set(ENOTSUP, "cpuinfo.img: dumped on a processor of another maker (%s)", image->model_id ? image->model_id : "unknown");
	if (image->capability_ver != CAPABILITY_VER)
		return err_set(ENOTSUP, "cpuinfo.img: capabilities of version %u, only %d is known", image->capability_ver, CAPABILITY_VER);
	if (caps & CPU_CAP_CPU && (image->cpu_family != here.cpu_family || image->model != here.model))
		return err_set(ENOTSUP, "cpuinfo.img: dumped on family %u, model %u (%s); this is family %u, model %u", image->cpu_family, image->model,
			       image->model_id ? image->model_id : "unknown", here.cpu_family, here.model);
	if (caps & CPU_CAP_FPU && image->has_xfeatures_mask && image->xfeatures_mask & ~here.xfeatures_mask & ~XFEATURE_SSE)
		return err_set(ENOTSUP, "cpuinfo.img: this machine lacks register sets (xfeatures 0x%" PRIx64 " of 0x%" PRIx64 ")",
			       image->xfeatures_mask & ~here.xfeatures_mask & ~XFEATURE_SSE, image->xfeatures_mask);
	return caps & (CPU_CAP_INS | CPU_CAP_CPU) ? compare_instructions(image, &here, caps & CPU_CAP_CPU) : 0;
}

int cpuinfo_check(int dirfd, uint32_t caps, bool optional)
{
	auto_img *img = NULL;
	CpuinfoEntry *entry = NULL;
	int result = 0;

	if (!caps)
		return 0;
	img = img_open(dirfd, IMG_CPUINFO, 0, optional);
	if (!img)
		return err_code() ? -1 : 0;
	if (img_read_one(img, &cpuinfo_entry__descriptor, &entry) < 0)
		return -1;
	if (entry->n_x86_entry != 1)
		result = err_set(ENOTSUP, "cpuinfo.img: %zu processors of kind x86 where one belongs: dumped on another kind of machine?", entry->n_x86_entry);
	else
		result = compare(entry->x86_entry[0], caps);
	cpuinfo_entry__free_unpacked(entry, NULL);
	if (!result)
		pr_info("the processor has what cpuinfo.img asks for");
	return result;
}
