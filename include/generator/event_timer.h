/* The time until the next timer expires, if there is no timer. */
#define NGX_TIMER_INFINITE  (ngx_msec_t) -1

#define ngx_add_timer       ngx_event_add_timer
#define ngx_del_timer       ngx_event_del_timer
