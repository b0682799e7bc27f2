-- What there is of history in the whole installation, quickly: rows as PostgreSQL estimates them, segments as they are.
SELECT (SELECT n_live_tup FROM pg_stat_all_tables WHERE relid = to_regclass('fresh_reading')),
       count(*), coalesce(sum(n), 0)::bigint, coalesce(sum(bytes), 0)::bigint
FROM segment WHERE replaced IS NULL
