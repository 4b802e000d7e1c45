/* The time until the next timer expires, if there is no timer. */
#define NGX_TIMER_INFINITE  (ngx_msec_t) -1

/* Another name of ngx_event_add_timer(): adds a timer to an event. */
#define ngx_add_timer       ngx_event_add_timer

/* Another name of ngx_event_del_timer(): deletes the timer of an event. */
#define ngx_del_timer       ngx_event_del_timer
