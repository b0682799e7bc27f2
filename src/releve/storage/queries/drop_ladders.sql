-- Ladders of a stretch that were kept long enough after their readings: a channel's by its own bound, where it has a rule.
WITH place AS (
    SELECT id, last FROM segment
    WHERE device_id = %(device)s AND expired IS NOT NULL AND replaced = 'infinity'
      AND first >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond'
      AND last < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
), gone AS (
    DELETE FROM ladder USING place
    WHERE ladder.device_id = %(device)s AND ladder.segment_id = place.id
      AND place.last < to_timestamp(0) + (CASE WHEN ladder.channel = ANY(%(names)s::text[])
          THEN (%(bounds_us)s::bigint[])[array_position(%(names)s::text[], ladder.channel)] ELSE %(bound_us)s::bigint END) * interval '1 microsecond'
    RETURNING 1
)
SELECT count(*) FROM gone
