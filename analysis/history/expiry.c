/* SPDX-License-Identifier: GPL-3.0-or-later */
/* expiry.c - arrays whose elements are taken, given back, and kept in the order of their last use;
 * see state.h. */
#include "history/state.h"

enum { NOBODY = UINT32_MAX };

static Queued *queued_at(GArray *array, uint32_t number)
{
    return (Queued *)(void *)(array->data + (size_t)number * g_array_get_element_size(array));
}

void expiry_init(Queue *queue)
{
    *queue = (Queue){NOBODY, NOBODY};
}

void expiry_add(GArray *array, Queue *queue, uint32_t number, int64_t now_ns)
{
    Queued *queued = queued_at(array, number);

    queued->previous = queue->last;
    queued->next = NOBODY;
    queued->used_ns = now_ns;
    if (queue->last != NOBODY) {
        queued_at(array, queue->last)->next = number;
    } else {
        queue->first = number;
    }
    queue->last = number;
}

void expiry_remove(GArray *array, Queue *queue, uint32_t number)
{
    const Queued *queued = queued_at(array, number);

    if (queued->previous != NOBODY) {
        queued_at(array, queued->previous)->next = queued->next;
    } else {
        queue->first = queued->next;
    }
    if (queued->next != NOBODY) {
        queued_at(array, queued->next)->previous = queued->previous;
    } else {
        queue->last = queued->previous;
    }
}

uint32_t pool_take(GArray *array, GArray *free_numbers)
{
    uint32_t number = array->len;

    if (free_numbers->len > 0) {
        number = g_array_index(free_numbers, uint32_t, free_numbers->len - 1);
        g_array_set_size(free_numbers, free_numbers->len - 1);
        memset(queued_at(array, number), 0, g_array_get_element_size(array));
    } else {
        g_array_set_size(array, number + 1); /* made to clear what it adds */
    }
    queued_at(array, number)->in_use = true;
    return number;
}

void pool_give(GArray *array, GArray *free_numbers, uint32_t number)
{
    queued_at(array, number)->in_use = false;
    g_array_append_val(free_numbers, number);
}
