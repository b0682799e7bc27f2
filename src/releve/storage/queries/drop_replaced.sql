WITH dropped AS (
    DELETE FROM segment WHERE replaced < now() - %(older_s)s * interval '1 second' RETURNING device_id, id
), fallen AS (
    DELETE FROM segment_column USING dropped WHERE segment_column.device_id = dropped.device_id AND segment_column.segment_id = dropped.id
)
SELECT count(*) FROM dropped
