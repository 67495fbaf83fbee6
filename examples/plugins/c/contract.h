/* The contract with Portcullis, wit/plugin.wit, as the records lie in memory: the canonical ABI of
 * components gives each type of the contract a layout that is the one of a C struct on wasm32.
 *
 * Texts are UTF-8 and have a length, no zero at their end. */
#ifndef CONTRACT_H
#define CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct { const char *bytes; size_t length; } text;
#define TEXT(words) ((text){ words, sizeof(words) - 1 })

typedef struct { bool some; text value; } optional_text;

enum phase { PHASE_CALL, PHASE_ANSWER, PHASE_DEFINITION };
enum form { FORM_TEXT, FORM_HTML, FORM_KEY, FORM_NUMBER };
enum party { PARTY_UNKNOWN, PARTY_CUSTOMER, PARTY_TEAMMATE, PARTY_BOT };
enum opinion { OPINION_HOLD, OPINION_DENY };

typedef struct {
    uint32_t document;
    text path;
    text text;
    uint8_t form;
    optional_text owner;
    uint8_t party;
} leaf;

typedef struct { text kind; text value; optional_text subject; } entry;

typedef struct {
    uint32_t leaf, start, end;
    text kind;
    uint8_t confidence;
    text reason;
    optional_text value, subject, part;
    uint8_t party;
} finding;

typedef struct {
    struct { finding *items; size_t length; } findings;
    struct { text *items; size_t length; } labels;
    struct { bool some; struct { uint8_t which; text why; } value; } opinion;
} report;

/* What `inspect` answers: a report, or an error, which denies what was looked at. */
typedef struct {
    uint8_t failed;
    union { report report; text error; };
} answer;

typedef struct {
    text name, version, summary;
    struct { text *items; size_t length; } kinds, labels;
    struct { uint8_t *items; size_t length; } phases;
    struct { text *items; size_t length; } tools;
    text config_schema;
} description;

_Static_assert(sizeof(void *) == 4, "for wasm32 alone");
_Static_assert(sizeof(leaf) == 40 && sizeof(finding) == 72 && sizeof(answer) == 36, "the layout of the contract");

#define EXPORT(name) __attribute__((export_name("portcullis:plugin/inspector@1.0.0#" name)))

/* Memory that nobody gives back: the instance ends with the call. Traps if there is no more. */
void *allocate(size_t size, size_t alignment);

#endif
