/* SPDX-License-Identifier: ISC */
#include "storage_server.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;
static FILE *to_child;
static FILE *from_child;
static bool is_absent;

static void read_line(char *line, size_t bytes)
{
    if (!fgets(line, (int)bytes, from_child)) {
        line[0] = '\0';
    }
    line[strcspn(line, "\n")] = '\0';
}

bool storage_server_start(void)
{
    if (child || is_absent) {
        return !is_absent;
    }
    int in[2];
    int out[2];
    if (pipe(in) != 0 || pipe(out) != 0) {
        abort();
    }
    child = fork();
    if (child == 0) {
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)close(in[0]);
        (void)close(in[1]);
        (void)close(out[0]);
        (void)close(out[1]);
        (void)execl(TEST_SOURCE "/tests/fakes/postgres", "postgres", "--tls", (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    (void)signal(SIGPIPE, SIG_IGN);
    to_child = fdopen(in[1], "w");
    from_child = fdopen(out[0], "r");
    char line[400];
    read_line(line, sizeof(line));
    is_absent = strncmp(line, "postgresql://", 13) != 0;
    if (is_absent) {
        storage_server_stop();
    }
    return !is_absent;
}

void storage_server_ask(const char *command, char *answer, size_t bytes)
{
    (void)fprintf(to_child, "%s\n", command);
    (void)fflush(to_child);
    read_line(answer, bytes);
}

void storage_server_create(unsigned number, char *url, size_t bytes)
{
    char command[40];
    (void)snprintf(command, sizeof(command), "create case%u", number);
    storage_server_ask(command, url, bytes);
}

void storage_server_tell(const char *command)
{
    char line[100];
    storage_server_ask(command, line, sizeof(line));
    if (strcmp(line, "done") != 0) {
        abort();
    }
}

void storage_server_stop(void)
{
    if (child <= 0) {
        return;
    }
    (void)fclose(to_child);
    (void)fclose(from_child);
    (void)waitpid(child, NULL, 0);
    child = 0;
}
