/* SPDX-License-Identifier: ISC */
#include "cli/new_password.h"

#include "buf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { TEXT = PASSWORD_MAX_BYTES + 4 };

static bool complain(const char *what)
{
    (void)fprintf(stderr, "aicaller user: %s\n", what);
    return false;
}

/* The first line. */
static bool read_line(FILE *file, char text[TEXT])
{
    if (!fgets(text, TEXT, file)) {
        return complain("there is no password");
    }
    size_t length = strcspn(text, "\r\n");
    bool is_whole = text[length] != '\0' || feof(file);
    text[length] = '\0';
    return is_whole || complain("A password has at most 1,000 characters.");
}

static bool read_file(const char *path, char text[TEXT])
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!file) {
        (void)fprintf(stderr, "aicaller user: %s: %s\n", path, strerror(errno));
        return false;
    }
    bool is_read = read_line(file, text);
    if (file != stdin) {
        (void)fclose(file);
    }
    return is_read;
}

/* One line from the terminal, which does not show it. Who gives up with Ctrl-C is heeded once the
 * terminal is as it was. */
static bool ask(int terminal, const char *question, char text[TEXT])
{
    struct termios before;
    sigset_t signals;
    sigset_t mask;
    if (tcgetattr(terminal, &before) != 0) {
        return complain("the terminal can not be told to hide the password");
    }
    struct termios quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGTSTP);
    (void)sigprocmask(SIG_BLOCK, &signals, &mask);
    (void)tcsetattr(terminal, TCSAFLUSH, &quiet);
    (void)dprintf(terminal, "%s: ", question);
    ssize_t length = read(terminal, text, TEXT - 1);
    (void)tcsetattr(terminal, TCSAFLUSH, &before);
    (void)dprintf(terminal, "\n");
    (void)sigprocmask(SIG_SETMASK, &mask, NULL);
    text[length > 0 ? length : 0] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    return length > 0 || complain("there is no password");
}

static bool ask_twice(char text[TEXT])
{
    char again[TEXT] = "";
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0) {
        return complain("there is no terminal to ask for the password; use --password-file or "
                        "--generate");
    }
    bool is_good = ask(terminal, "Password", text);
    const char *problem = is_good ? password_problem(aic_str(text)) : NULL;
    if (is_good && !problem) {
        is_good = ask(terminal, "Again", again);
        problem = is_good && strcmp(text, again) != 0 ? "the two are not the same" : NULL;
    }
    (void)close(terminal);
    sodium_memzero(again, sizeof(again));
    return problem ? complain(problem) : is_good;
}

bool new_password_hash(const struct new_password *wish, char hash[PASSWORD_HASH],
                       char made[PASSWORD_MADE])
{
    char text[TEXT] = "";
    bool is_good = true;
    made[0] = '\0';
    if (sodium_init() < 0) {
        return complain("libsodium does not work here");
    }
    if (wish->is_made) {
        password_make(made);
        (void)aic_str_copy(aic_str(made), text, sizeof(text));
    } else {
        is_good = wish->file ? read_file(wish->file, text) : ask_twice(text);
    }
    const char *problem = is_good ? password_problem(aic_str(text)) : NULL;
    is_good = is_good && !problem;
    if (problem) {
        (void)complain(problem);
    } else if (is_good && !password_hash(hash, aic_str(text))) {
        is_good = complain("there is not enough memory to make the password's hash (64 MiB)");
    }
    sodium_memzero(text, sizeof(text));
    return is_good;
}
