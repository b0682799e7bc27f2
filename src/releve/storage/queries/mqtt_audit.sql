INSERT INTO accounts_auditevent (time, kind, is_alert, account_id, device_id, team_id, address, user_agent, detail)
VALUES (now(), %(kind)s, %(is_alert)s, %(account)s, %(device)s, %(team)s, %(address)s, 'mqtt', %(detail)s)
