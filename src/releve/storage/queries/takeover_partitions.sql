-- The months of the table of earlier releases, the first one first, and how many rows each has, about.
SELECT part.relname, extract(epoch FROM month)::bigint * 1000000, extract(epoch FROM month + interval '1 month')::bigint * 1000000,
       CASE WHEN statistic.n_live_tup > 0 THEN statistic.n_live_tup ELSE greatest(part.reltuples::bigint, 0) END
FROM pg_inherits
JOIN pg_class AS part ON part.oid = inhrelid
LEFT JOIN pg_stat_all_tables AS statistic ON statistic.relid = part.oid
CROSS JOIN LATERAL (SELECT make_date(substr(part.relname, 9, 4)::int, substr(part.relname, 14, 2)::int, 1)::timestamp) AS named (month)
WHERE inhparent = to_regclass('reading') AND part.relname ~ '^reading_\d{4}_\d{2}$'
ORDER BY part.relname
