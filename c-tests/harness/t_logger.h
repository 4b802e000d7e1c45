
/* A log with a file of its own, for the tests of ngx_log.c. */


#ifndef _T_LOGGER_H_INCLUDED_
#define _T_LOGGER_H_INCLUDED_


#include "test.h"

#include <stdio.h>
#include <time.h>


/* The log under test, which writes to a file in memory. */

extern ngx_log_t        t_logger;
extern ngx_open_file_t  t_logger_file;
extern const char      *t_level_names[7];


void t_logger_open(void);
void t_logger_close(void);
const char *t_logger_text(void);

int t_memory_file(void);
const char *t_contents(int fd);
int t_lines(const char *text);
int t_ends_with(const char *text, const char *end);
const char *t_behind_time(const char *line);
int t_is_line(const char *level, const char *text);

void t_catch_stderr(void);
const char *t_program(void);
int t_is_on_stderr(const char *text);

void t_time_init(void);
void t_local_time(char *buf, size_t size);
void t_next_second(void);


#endif /* _T_LOGGER_H_INCLUDED_ */
