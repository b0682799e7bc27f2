(r.channels -> %(part_name)s::text = %(part_number)s::jsonb OR r.channels -> %(part_name)s::text = %(part_text)s::jsonb)
