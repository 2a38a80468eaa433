/* SPDX-License-Identifier: MIT */
#include "common/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

static int error_code;
static char error_text[ERR_TEXT_MAX];

static void set_text(int code, const char *suffix, const char *fmt, va_list ap)
{
	char text[ERR_TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	if (suffix) {
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, ": %s", suffix);
	}
	log_line(LOG_ERROR, "%s", text);
	if (error_code)
		return;
	error_code = code ? code : EIO;
	memcpy(error_text, text, sizeof(text));
}

int err_set(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_text(code, NULL, fmt, ap);
	va_end(ap);
	return -1;
}

int err_errno(const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	set_text(saved, strerror(saved), fmt, ap);
	va_end(ap);
	errno = saved;
	return -1;
}

int err_adopt(int code, const char *text)
{
	if (!error_code) {
		error_code = code ? code : EIO;
		snprintf(error_text, sizeof(error_text), "%s", text);
	}
	return -1;
}

int err_context(const char *fmt, ...)
{
	char prefix[ERR_TEXT_MAX / 2], text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	if (!error_code)
		return err_set(EIO, "%s", prefix);
	memcpy(text, error_text, sizeof(text));
	snprintf(error_text, sizeof(error_text), "%.500s: %.500s", prefix, text);
	return -1;
}

void err_recode(int code)
{
	if (error_code)
		error_code = code;
}

int err_code(void)
{
	return error_code;
}

const char *err_text(void)
{
	return error_text;
}

void err_clear(void)
{
	error_code = 0;
	error_text[0] = 0;
}
