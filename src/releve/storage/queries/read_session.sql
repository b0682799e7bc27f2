-- Whether a session may acknowledge, what its server's clock says, and whether the table of earlier releases holds anything still.
-- Aurora's storage writes whole pages by itself, so there full_page_writes says nothing.
SELECT current_setting('fsync'),
       CASE WHEN to_regproc('aurora_version') IS NULL THEN current_setting('full_page_writes') ELSE 'on' END,
       current_setting('synchronous_commit'),
       current_setting('client_min_messages'),
       (SELECT coalesce(bool_or(has_function_privilege(oid, 'execute')), false)
        FROM pg_proc WHERE proname = 'pg_logical_emit_message' AND proargtypes[2] = 'text'::regtype),
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
       EXISTS (SELECT FROM pg_inherits WHERE inhparent = to_regclass('reading'))
