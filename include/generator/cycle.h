/* The cycle in use. */
extern volatile ngx_cycle_t  *ngx_cycle;
