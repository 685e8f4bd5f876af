/* SPDX-License-Identifier: MIT */
#include "dtls_regress/result.h"

#include <stdio.h>

const char *regress_judgement_word(enum regress_judgement judgement)
{
    static const char *const words[] = {
        [JUDGED_GOOD] = "good", [JUDGED_BAD] = "bad",    [JUDGED_INFO] = "info",
        [JUDGED_NA] = "n/a",    [JUDGED_NOT] = "broken", [JUDGED_STARVED] = "inconclusive"};
    return words[judgement];
}

void regress_value(char out[static VALUE_TEXT], const char *measures, const char *text,
                   bool is_value)
{
    bool named = measures && is_value;
    snprintf(out, VALUE_TEXT, "%s%s%s", named ? measures : "", named ? " = " : "", text);
}
