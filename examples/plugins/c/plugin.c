/* Finds the numbers by which a company knows its customers, such as `KD-4711-0815`.
 *
 * A plugin is asked about the texts of a call, of an answer or of a tool's definition, and says what
 * it sees: spans with a kind. Policy decides what that means, and Portcullis alone edits. */
#include "contract.h"

#define KIND "customer_number"

static text kinds[] = { { KIND, sizeof(KIND) - 1 } };
static uint8_t phases[] = { PHASE_CALL, PHASE_ANSWER };

EXPORT("describe")
description *describe(void) {
    static description it;
    it = (description){
        .name = TEXT("customer-number"),
        .version = TEXT("0.1.0"),
        .summary = TEXT("The numbers by which the company knows its customers"),
        .kinds = { kinds, 1 },
        .labels = { (text *)4, 0 },
        .phases = { phases, 2 },
        .tools = { (text *)4, 0 },
        .config_schema = TEXT("{\"type\": \"object\", \"additionalProperties\": false, \"properties\": "
                              "{\"prefix\": {\"type\": \"string\", \"pattern\": \"^[A-Z]{2}$\"}}}"),
    };
    return &it;
}

static bool digit(char c) { return c >= '0' && c <= '9'; }
static bool capital(char c) { return c >= 'A' && c <= 'Z'; }
static bool word(char c) { return digit(c) || capital(c) || (c >= 'a' && c <= 'z'); }

static bool four_digits(const char *at, const char *end) {
    return end - at >= 4 && digit(at[0]) && digit(at[1]) && digit(at[2]) && digit(at[3]);
}

/* The two letters of the configuration. It fits the schema, so they are its only two capitals. */
static void prefix_of(const char *config, size_t length, char prefix[2]) {
    prefix[0] = 'K';
    prefix[1] = 'D';
    for (size_t i = 0; i + 1 < length; i++) {
        if (capital(config[i]) && capital(config[i + 1])) {
            prefix[0] = config[i];
            prefix[1] = config[i + 1];
        }
    }
}

/* The byte after the number that begins here, or NULL: the prefix, `-`, and two groups of four digits,
 * which may have a `-` between them. */
static const char *number(const char *at, const char *end, const char prefix[2]) {
    if (end - at < 3 || at[0] != prefix[0] || at[1] != prefix[1] || at[2] != '-') return NULL;
    at += 3;
    if (!four_digits(at, end)) return NULL;
    at += 4;
    if (at < end && *at == '-') at++;
    if (!four_digits(at, end)) return NULL;
    at += 4;
    return at < end && word(*at) ? NULL : at;
}

/* The number as the company writes it, if it stands in the text without its second dash. */
static optional_text plain(const char *start, const char *end) {
    if (end - start == 12) return (optional_text){ .some = false };
    char *to = allocate(12, 1);
    for (int i = 0; i < 7; i++) to[i] = start[i];
    to[7] = '-';
    for (int i = 8; i < 12; i++) to[i] = start[i - 1];
    return (optional_text){ .some = true, .value = { to, 12 } };
}

/* The findings so far; a full list moves to one of twice the size. */
static struct { finding *items; size_t length, room; } found;

static void push(finding one) {
    if (found.length == found.room) {
        size_t room = found.room ? 2 * found.room : 16;
        finding *items = allocate(room * sizeof(finding), _Alignof(finding));
        for (size_t i = 0; i < found.length; i++) items[i] = found.items[i];
        found.items = items;
        found.room = room;
    }
    found.items[found.length++] = one;
}

EXPORT("inspect")
answer *inspect(uint32_t phase, const char *tool, size_t tool_length, const leaf *leaves, size_t count,
                const entry *dictionary, size_t entries, const char *config, size_t config_length) {
    (void)phase, (void)tool, (void)tool_length, (void)dictionary, (void)entries;
    char prefix[2];
    prefix_of(config, config_length, prefix);
    for (size_t i = 0; i < count; i++) {
        const char *start = leaves[i].text.bytes, *end = start + leaves[i].text.length;
        for (const char *at = start; at < end; at++) {
            const char *behind = number(at, end, prefix);
            if (!behind || (at > start && word(at[-1]))) continue;
            push((finding){
                .leaf = i,
                .start = at - start,
                .end = behind - start,
                .kind = kinds[0],
                .confidence = 95,
                .reason = TEXT("shape"),
                .value = plain(at, behind),
                .party = PARTY_CUSTOMER,
            });
        }
    }
    static answer it;
    it.report.findings.items = found.items ? found.items : (finding *)4;
    it.report.findings.length = found.length;
    it.report.labels.items = (text *)4;
    return &it;
}
