/* SPDX-License-Identifier: MIT */
#include "cli/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/err.h"
#include "common/util.h"

#define SYSTEM_FILE "/etc/criu/default.conf"
#define SIZE_MAX_BYTES (1 << 20)

/* NAME=VALUE as on the command line: ends NAME and returns what follows it; NULL where there is no '='. */
static char *cut_value(char *name)
{
	char *sign = strchr(name, '=');

	if (!sign)
		return NULL;
	*sign = 0;
	return sign + 1;
}

/* The next word of a line: bare, or in double quotes, where \" is a quote. Returns it, cut out of the line, or NULL at its end (or at a
 * comment); *rest is what follows. *bad: quotes that do not end. */
static char *next_word(char *p, char **rest, bool *bad)
{
	char *start, *to;

	p += strspn(p, " \t\r");
	*rest = p;
	if (!*p || *p == '#')
		return NULL;
	if (*p != '"') {
		start = p;
		p += strcspn(p, " \t\r#");
		/* '#' ends the word as well as the line */
		if (*p == '#')
			p[0] = p[1] = 0;
		*rest = *p ? p + 1 : p;
		*p = 0;
		return start;
	}
	start = to = ++p;
	while (*p && *p != '"') {
		if (p[0] == '\\' && p[1] == '"')
			p++;
		*to++ = *p++;
	}
	if (!*p) {
		*bad = true;
		return NULL;
	}
	*rest = p + 1;
	*to = 0;
	return start;
}

static int take_line(struct command *command, char *line, const char *where)
{
	bool bad = false;
	char *rest, *name = next_word(line, &rest, &bad), *value, *more;

	if (bad)
		return err_set(EINVAL, "%s: a quotation mark is missing", where);
	if (!name)
		return 0;
	value = cut_value(name);
	if (!value)
		value = next_word(rest, &rest, &bad);
	more = bad || !value ? NULL : next_word(rest, &rest, &bad);
	if (bad)
		return err_set(EINVAL, "%s: a quotation mark is missing", where);
	if (more)
		return err_set(EINVAL, "%s: '%s' is one word too many: a value with spaces takes quotation marks", where, more);
	return options_take(command, name, value ? xstrdup(value) : NULL, where);
}

int config_file_read(struct command *command, int fd, const char *name)
{
	auto_fd close_it = fd;
	auto_free char *text = NULL;
	struct stat st;
	int number = 1;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > SIZE_MAX_BYTES)
		return err_set(EINVAL, "configuration file %s: a regular file of at most %d bytes is wanted", name, SIZE_MAX_BYTES);
	text = xzalloc(st.st_size + 2); /* next_word may clear one byte more */
	if (read_all(fd, text, st.st_size) < 0)
		return err_errno("cannot read the configuration file %s", name);
	for (char *line = text, *next; line; line = next, number++) {
		auto_free char *where = xasprintf("%s, line %d", name, number);

		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		if (take_line(command, line, where) < 0)
			return -1;
	}
	return 0;
}

static int read_named(struct command *command, const char *name, bool optional)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return optional && (errno == ENOENT || errno == ENOTDIR || errno == EACCES) ? 0 : err_errno("configuration file %s", name);
	return config_file_read(command, fd, name);
}

int config_files_read(struct command *command)
{
	const char *home = getenv("HOME"), *named = getenv("CRIU_CONFIG_FILE");
	auto_free char *own = home ? xasprintf("%s/.criu/default.conf", home) : NULL;

	if (!command->request.no_default_config) {
		if (read_named(command, SYSTEM_FILE, true) < 0 || (own && read_named(command, own, true) < 0) ||
		    (named && *named && read_named(command, named, false) < 0))
			return -1;
	}
	return command->request.config ? read_named(command, command->request.config, false) : 0;
}
