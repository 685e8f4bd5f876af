/* What changed between two runs, in words. */
#ifndef REGRESS_DIFF_H
#define REGRESS_DIFF_H

/* Prints on stdout; 0 nothing changed, 1 something did, 2 a file cannot be read (told on stderr).
 */
int diff_run(const char *old_path, const char *new_path);

#endif
