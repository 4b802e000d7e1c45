/*
 * Adds as ngx_ipc_counters_add() does, without a call in most cases.  A child that
 * ngx_spawn_process() has not started sets ngx_pid before.
 */
static ngx_inline ngx_int_t
ngx_ipc_count(ngx_ipc_counters_t *group, ngx_uint_t n, ngx_int_t value)
{
    volatile ngx_int_t  *own;

    if (n < group->own_numbers && group->pid == ngx_pid) {
        own = (volatile ngx_int_t *) group->own;
        own[n] += value;
        return NGX_OK;
    }

    return ngx_ipc_counters_add(group, n, value);
}
