"""How alike simulated people look to the SDK's own recogniser. A tester: it imports the SDK, and no world imports it."""
