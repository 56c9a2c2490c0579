/* SPDX-License-Identifier: ISC */
#include "call/opt_out.h"

#include "call/phrases.h"

#include <stdio.h>

enum { MAX_TEXT = 8192, PHRASE_BYTES = 128 };

/* All phrases are in the form of phrases_normalise. */

/* These mean it, whatever else is said. */
static const char *const sure[] = {"stop calling",
                                   "quit calling",
                                   "stop phoning",
                                   "stop ringing me",
                                   "never call",
                                   "no more calls",
                                   "not want to be called",
                                   "not want your calls",
                                   "not want any calls",
                                   "don t want any more calls",
                                   "don t want to be called",
                                   "don t want your calls",
                                   "don t want calls from you",
                                   "do not call list",
                                   "take me off your list",
                                   "take me off the list",
                                   "take me off your calling list",
                                   "remove me from your list",
                                   "remove me from the list",
                                   "remove me from your calling list",
                                   "remove my number",
                                   "remove my phone number",
                                   "delete my number",
                                   "delete my phone number",
                                   "take my number off",
                                   "lose my number",
                                   "unsubscribe",
                                   "opt out",
                                   "opt me out",
                                   "stop bothering me",
                                   "stop harassing me",
                                   "leave me alone",
                                   "mera number hata do",
                                   "mera number hata dijiye",
                                   "mera number hatao",
                                   "mera number delete karo",
                                   "mera number delete kar do",
                                   "pareshan mat karo",
                                   "pareshan mat kijiye",
                                   "मेरा नंबर हटा दो",
                                   "मेरा नंबर हटा दीजिए",
                                   "मेरा नंबर हटा दें",
                                   "मेरा नंबर हटाओ",
                                   "मेरा नंबर हटाइए",
                                   "मेरा नंबर डिलीट कर दो",
                                   "मेरा नंबर डिलीट करो",
                                   "परेशान मत करो",
                                   "परेशान मत करिए",
                                   "परेशान मत कीजिए",
                                   "परेशान न करें",
                                   "परेशान ना करें",
                                   NULL};

/* These may be about an hour or a thing. */
static const char *const likely[] = {
    "do not call", "don t call",    "dont call",      "do not phone",  "don t phone",
    "do not ring", "don t ring me", "do not contact", "don t contact", NULL};

static const char *const nouns[] = {"phone", "fone", "call", "फोन", "कॉल", "काल", NULL};

static const char *const verbs[] = {"mat karna",
                                    "mat karo",
                                    "mat kar",
                                    "mat kare",
                                    "mat karen",
                                    "mat karein",
                                    "mat kariye",
                                    "mat kijiye",
                                    "mat kijiyega",
                                    "mat kiya karo",
                                    "na kare",
                                    "na karen",
                                    "na karein",
                                    "na karna",
                                    "na karo",
                                    "na kijiye",
                                    "nahi karna",
                                    "nahin karna",
                                    "karna band karo",
                                    "karna band kar do",
                                    "karna band kijiye",
                                    "karna band karen",
                                    "मत करना",
                                    "मत करो",
                                    "मत कर",
                                    "मत करें",
                                    "मत करिए",
                                    "मत करिएगा",
                                    "मत कीजिए",
                                    "मत कीजिएगा",
                                    "मत किया करो",
                                    "मत कीजिये",
                                    "न करें",
                                    "न करना",
                                    "न करो",
                                    "न कीजिए",
                                    "न करिए",
                                    "ना करें",
                                    "ना करना",
                                    "ना करो",
                                    "ना कीजिए",
                                    "ना करिए",
                                    "नहीं करना",
                                    "करना बंद करो",
                                    "करना बंद कर दो",
                                    "करना बंद करें",
                                    "करना बंद कीजिए",
                                    "करना बंद करिए",
                                    NULL};

static const char *const after_noun[] = {"karo", "karna", "kijiye", "kariye", "करो",
                                         "करना", "कीजिए", "करिए",   "करें",     NULL};

/* With these it is about an hour. */
static const char *const hours[] = {"before", "until", "till",   "between", "during",  "at night",
                                    "while",  "after", "abhi",   "subah",   "raat ko", "se pehle",
                                    "अभी",    "सुबह",   "रात को", "से पहले",   NULL};

static bool has_any(struct aic_str text, const char *const *list)
{
    for (size_t i = 0; list[i]; i++) {
        if (phrases_contain(text, list[i])) {
            return true;
        }
    }
    return false;
}

/* Whether the text has `before`, then `middle`, then one of `endings`. */
static bool has_ending(struct aic_str text, const char *before, const char *middle,
                       const char *const *endings)
{
    char phrase[PHRASE_BYTES];
    for (size_t i = 0; endings[i]; i++) {
        (void)snprintf(phrase, sizeof(phrase), "%s%s%s %s", before, before[0] ? " " : "", middle,
                       endings[i]);
        if (phrases_contain(text, phrase)) {
            return true;
        }
    }
    return false;
}

/* "फोन मत करना", "call karna band karo", "mat phone karo". */
static bool says_it_in_hindi(struct aic_str text)
{
    bool is_said = false;
    for (size_t n = 0; !is_said && nouns[n]; n++) {
        is_said = has_ending(text, "", nouns[n], verbs) ||
                  has_ending(text, "mat", nouns[n], after_noun) ||
                  has_ending(text, "मत", nouns[n], after_noun);
    }
    return is_said;
}

bool opt_out_is_said(struct aic_str text)
{
    struct aic_buf buf;
    aic_buf_init(&buf, MAX_TEXT);
    phrases_normalise(&buf, text);
    struct aic_str normalised = aic_buf_view(&buf);
    bool is_said = has_any(normalised, sure) ||
                   (!has_any(normalised, hours) &&
                    (has_any(normalised, likely) || says_it_in_hindi(normalised)));
    aic_buf_finish(&buf);
    return is_said;
}
