/* Memory: what the host puts the document into, and what the plugin takes for its report. */
#include "contract.h"

#define PAGE 65536

extern unsigned char __heap_base;
static uintptr_t next;

void *allocate(size_t size, size_t alignment) {
    if (next == 0) next = (uintptr_t)&__heap_base;
    uintptr_t start = (next + alignment - 1) & ~(alignment - 1);
    size_t have = __builtin_wasm_memory_size(0) * PAGE;
    if (size > UINT32_MAX - PAGE - start) __builtin_trap();
    if (start + size > have) {
        size_t pages = (start + size - have + PAGE - 1) / PAGE;
        if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) __builtin_trap();
    }
    next = start + size;
    return (void *)start;
}

/* How the host asks for memory. */
__attribute__((export_name("cabi_realloc")))
void *cabi_realloc(void *old, size_t old_size, size_t alignment, size_t size) {
    unsigned char *to = allocate(size, alignment);
    for (size_t i = 0; i < old_size && i < size; i++) to[i] = ((unsigned char *)old)[i];
    return to;
}
