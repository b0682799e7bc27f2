SELECT since, until, reading_id, part FROM runs_exclusion
WHERE device_id = %(device_id)s AND undone_at IS NULL AND until > to_timestamp(0) + %(started_us)s::bigint * interval '1 microsecond'
  AND since < to_timestamp(0) + %(ended_us)s::bigint * interval '1 microsecond'
