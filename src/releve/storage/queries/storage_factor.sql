-- How many bytes the tables of history take for each byte of a column: their indexes, their ladders, what was just replaced, and room that is free.
SELECT (pg_total_relation_size(to_regclass('segment')) + pg_total_relation_size(to_regclass('segment_column'))
        + pg_total_relation_size(to_regclass('ladder')))::float8 / nullif(sum(bytes), 0)
FROM segment WHERE replaced IS NULL
