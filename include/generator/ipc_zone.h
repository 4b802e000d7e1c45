#if (NGX_IPC_NO_TYPED_ZONES)
#error this nginx has kept its own zones, so it has no typed zones: see docs/nginx.md, "Versions"
#endif

/*
 * Declares a typed zone: calls ngx_ipc_zone_add_size() with the size of the structure in
 * these headers.
 */
#define ngx_ipc_zone_add(cycle, type, name, size)                             \
    ngx_ipc_zone_add_size(cycle, type, sizeof(ngx_ipc_zone_type_t), name, size)
