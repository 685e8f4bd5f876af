/* SPDX-License-Identifier: MIT */
/* Runs one target over files and folders, without an engine. Prints a line for each file: its name
 * and a digest of what the target saw, or the result in words (--verdict). --seeds DIR writes the
 * target's seeds into DIR.
 *
 * replay_<target> [--seeds DIR] [--verdict] [FILE|DIR]... */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/common.h"

static int seeds(const char *dir)
{
    struct fuzz_seeder s = {.dir = dir};
    fuzz_seeds(&s);
    if (s.failed)
        fprintf(stderr, "replay: cannot write into %s\n", dir);
    return s.failed;
}

static bool wants_verdict;

static int replay(const char *path);

static int replay_dir(const char *dir)
{
    struct dirent **names;
    int n = scandir(dir, &names, NULL, alphasort), failed = 0;
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            failed |= replay(path);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    return failed;
}

/* The bytes are in a block of exactly their size, so AddressSanitizer sees an access beyond
 * them. */
static int replay_file(const char *path, size_t size)
{
    uint8_t *data = malloc(size ? size : 1);
    FILE *f = fopen(path, "rb");
    bool ok = data && f && fread(data, 1, size, f) == size;
    if (f)
        fclose(f);
    if (ok) {
        const char *slash = strrchr(path, '/');
        printf("%s ", slash ? slash + 1 : path);
        fflush(stdout);
        fuzz_digest_reset();
        LLVMFuzzerTestOneInput(data, size);
        if (wants_verdict && fuzz_verdict)
            printf("%s\n", fuzz_verdict());
        else
            printf("%016llx\n", (unsigned long long)fuzz_digest());
    } else {
        fprintf(stderr, "replay: cannot read %s\n", path);
    }
    free(data);
    return !ok;
}

static int replay(const char *path)
{
    struct stat st;
    if (stat(path, &st)) {
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        return 1;
    }
    return S_ISDIR(st.st_mode) ? replay_dir(path) : replay_file(path, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--seeds") && i + 1 < argc)
            failed |= seeds(argv[++i]);
        else if (!strcmp(argv[i], "--verdict"))
            wants_verdict = true;
        else
            failed |= replay(argv[i]);
    }
    return failed;
}
