"""Write-back: accept, send, outcomes, formatting, verification a day later."""
