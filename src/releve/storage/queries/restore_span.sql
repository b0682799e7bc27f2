-- A span of a device is whole again, and no rule deletes it for some time; ladders that stood for its readings are theirs again.
WITH held AS (
    INSERT INTO restored_span (device_id, since, until, kept_until)
    VALUES (%(device)s, to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond',
            to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond', to_timestamp(0) + %(kept_until_us)s::bigint * interval '1 microsecond')
    ON CONFLICT (device_id, since, until) DO UPDATE SET kept_until = excluded.kept_until
    RETURNING since, until
), whole AS (
    UPDATE expired_reading SET spans = spans - tstzmultirange(tstzrange(held.since, held.until))
    FROM held WHERE expired_reading.device_id = %(device)s AND expired_reading.channel = ''
), place AS (
    DELETE FROM segment USING held
    WHERE segment.device_id = %(device)s AND segment.expired IS NOT NULL AND segment.expired_channels IS NULL
      AND segment.first >= held.since AND segment.last < held.until
    RETURNING segment.id
), ladders AS (
    DELETE FROM ladder USING place WHERE ladder.device_id = %(device)s AND ladder.segment_id = place.id
), columns AS (
    DELETE FROM segment_column USING place WHERE segment_column.device_id = %(device)s AND segment_column.segment_id = place.id
)
SELECT count(*) FROM place
