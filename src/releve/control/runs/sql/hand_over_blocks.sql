-- Whole blocks within the run's new bounds come from the runs that held them: a merge of a million readings reads none.
WITH handed AS (
    UPDATE run_block SET run_id = %(run)s
    WHERE device_id = %(device)s AND run_id = ANY(%(others)s::bigint[])
      AND start >= %(since)s AND start + interval '5 seconds' <= %(until)s
)
UPDATE run_block_channel SET run_id = %(run)s
WHERE device_id = %(device)s AND run_id = ANY(%(others)s::bigint[])
  AND start >= %(since)s AND start + interval '5 seconds' <= %(until)s
