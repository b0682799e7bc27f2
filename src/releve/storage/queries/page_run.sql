SELECT time_us, id, (extract(epoch FROM received) * 1000000)::bigint AS received_us, sent, channels::text AS channels
FROM (/*readings*/) AS counted ORDER BY time, id LIMIT %(limit)s
