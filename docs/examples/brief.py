def request(body):
    text = config.get("text", "Answer briefly.")
    note = {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": text}]}
    body["input"].insert(1, note)
    return body
