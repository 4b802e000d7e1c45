#define ngx_time()       ngx_cached_time->sec
#define ngx_timeofday()  (ngx_time_t *) ngx_cached_time


extern volatile ngx_time_t  *ngx_cached_time;
extern volatile ngx_str_t    ngx_cached_err_log_time;
extern volatile ngx_msec_t   ngx_current_msec;
