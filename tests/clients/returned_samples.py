"""Mails as they come back: in the shapes that Postfix, Exchange, Gmail, Exim and qmail give them, names made up."""

from __future__ import annotations

KEY = "7c0d7d0e-51f6-5a7e-9c8d-3f0a4b1c2d3e"
RETURNED_TO = f"retur+{KEY}@example.com"

ENCLOSED_HEAD = f"""Return-Path: <{RETURNED_TO}>
Received: from app.example.com (app.example.com [192.0.2.10])
\tby mx.example.com (Postfix) with ESMTPS id 4Abcd1234; Tue, 24 Nov 2026 09:00:01 +0100 (CET)
From: Strand kommune <faktura@example.com>
To: <kari@example.net>
Subject: Faktura 20260001, Strand kommune
Date: Tue, 24 Nov 2026 09:00:00 +0100
Message-ID: <{KEY}@example.com>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
"""


def postfix(
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <kari@example.net>: Recipient address rejected: User unknown",
    action: str = "failed",
    to: str = RETURNED_TO,
    enclosed: str = ENCLOSED_HEAD,
    part: str = "message/rfc822",
) -> bytes:
    """A delivery status in three parts, as RFC 3464 shows and Postfix writes it."""
    subject = "Delayed Mail (still being retried)" if action == "delayed" else "Undelivered Mail Returned to Sender"
    return f"""Return-Path: <>
Delivered-To: {to}
Date: Tue, 24 Nov 2026 09:00:03 +0100 (CET)
From: MAILER-DAEMON@mx.example.com (Mail Delivery System)
Subject: {subject}
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4Abcd1234.1795507203/mx.example.com"
Message-Id: <20261124080003.4Abcd9999@mx.example.com>

This is a MIME-encapsulated message.

--4Abcd1234.1795507203/mx.example.com
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.com.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<kari@example.net>: host mx.example.net[192.0.2.20] said: see below

--4Abcd1234.1795507203/mx.example.com
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
X-Postfix-Queue-ID: 4Abcd1234
X-Postfix-Sender: rfc822; {RETURNED_TO}
Arrival-Date: Tue, 24 Nov 2026 09:00:01 +0100 (CET)

Final-Recipient: rfc822; kari@example.net
Original-Recipient: rfc822;kari@example.net
Action: {action}
Status: {status}
Remote-MTA: dns; mx.example.net
Diagnostic-Code: {diagnostic}

--4Abcd1234.1795507203/mx.example.com
Content-Description: Undelivered Message
Content-Type: {part}

{enclosed}
Hei

--4Abcd1234.1795507203/mx.example.com--
""".encode()


def exchange(code: str = "5.1.10", text: str = "RESOLVER.ADR.RecipientNotFound; Recipient not found") -> bytes:
    """Exchange Online: the words in HTML, the enclosed mail whole, and names of its own in the head."""
    return f"""From: Microsoft Outlook
 <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.net>
To: <faktura@example.com>
Date: Tue, 24 Nov 2026 08:00:05 +0000
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="b1_exchange"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: nb-NO
Message-ID: <0b5a77e1-7a3f-4d09-9a35-5d1f4e6b7c80@OS0P279MB0001.NORP279.PROD.OUTLOOK.COM>
In-Reply-To: <{KEY}@example.com>
References: <{KEY}@example.com>
Subject: =?utf-8?Q?Kan_ikke_leveres:_Faktura_20260001,_Strand_kommune?=
Auto-Submitted: auto-replied
MIME-Version: 1.0

--b1_exchange
Content-Type: multipart/alternative; differences=Content-Type; boundary="b2_exchange"

--b2_exchange
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

<html><body><p>Meldingen kunne ikke leveres til kari@example.net.</p></body></html>

--b2_exchange--

--b1_exchange
Content-Type: message/delivery-status

Reporting-MTA: dns;OS0P279MB0001.NORP279.PROD.OUTLOOK.COM
Received-From-MTA: dns;mx.example.com
Arrival-Date: Tue, 24 Nov 2026 08:00:04 +0000

Final-Recipient: rfc822;kari@example.net
Action: failed
Status: {code}
Diagnostic-Code: smtp;550 {code} {text}
X-Display-Name: kari@example.net

--b1_exchange
Content-Type: message/rfc822

{ENCLOSED_HEAD}
Hei

--b1_exchange--
""".encode()


def gmail() -> bytes:
    """Gmail: pictures beside the words, and the status without any Original-Recipient."""
    return f"""Delivered-To: {RETURNED_TO}
Return-Path: <>
Received: by 2002:a05:6000:1 with SMTP id abc; Tue, 24 Nov 2026 00:00:06 -0800 (PST)
Content-Type: multipart/report; boundary="000000000000gmail"; report-type=delivery-status
To: {RETURNED_TO}
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
References: <{KEY}@example.com>
In-Reply-To: <{KEY}@example.com>
X-Failed-Recipients: kari@example.net
Message-ID: <69c3a1b2.050a0220.1.GMR@mx.example.org>
Date: Tue, 24 Nov 2026 00:00:06 -0800 (PST)

--000000000000gmail
Content-Type: multipart/related; boundary="000000000001gmail"

--000000000001gmail
Content-Type: text/plain; charset="UTF-8"

** Address not found **

Your message wasn't delivered to kari@example.net because the address couldn't be found, or is unable to receive mail.

--000000000001gmail
Content-Type: image/png; name="icon.png"
Content-Transfer-Encoding: base64
Content-ID: <icon.png>

iVBORw0KGgo=
--000000000001gmail--

--000000000000gmail
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Received-From-MTA: dns; faktura@example.com
Arrival-Date: Tue, 24 Nov 2026 00:00:05 -0800 (PST)
X-Original-Message-ID: <{KEY}@example.com>

Final-Recipient: rfc822; kari@example.net
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
 550-5.1.1 double-checking the recipient's email address for typos or unnecessary spaces.
Last-Attempt-Date: Tue, 24 Nov 2026 00:00:06 -0800 (PST)

--000000000000gmail
Content-Type: message/rfc822

{ENCLOSED_HEAD}
----- Message truncated -----

--000000000000gmail--
""".encode()


def exim() -> bytes:
    """Exim before it wrote reports: words alone, marked as an automatic reply."""
    return f"""Return-path: <>
Envelope-to: {RETURNED_TO}
Received: from mailnull by mx.example.org with local (Exim 4.80)
X-Failed-Recipients: kari@example.net
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.org>
To: {RETURNED_TO}
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1abcde-0001Ab-CD@mx.example.org>
Date: Tue, 24 Nov 2026 09:00:09 +0100

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  kari@example.net
    SMTP error from remote mail server after RCPT TO:<kari@example.net>:
    host mx.example.net [192.0.2.20]: 550 5.1.1 User unknown

------ This is a copy of the message, including all the headers. ------

{ENCLOSED_HEAD}
""".encode()


def qmail(words: str = "This user doesn't have a example.net account (kari@example.net) [-5]") -> bytes:
    """Qmail: words alone."""
    return f"""Return-Path: <>
Delivered-To: {RETURNED_TO}
Date: 24 Nov 2026 08:00:10 -0000
From: MAILER-DAEMON@mx.example.org
To: {RETURNED_TO}
Subject: failure notice

Hi. This is the qmail-send program at mx.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<kari@example.net>:
{words}

--- Below this line is a copy of the message.

{ENCLOSED_HEAD}
""".encode()


def complaint(feedback: str = "abuse") -> bytes:
    """A complaint that a provider passes on (RFC 5965)."""
    return f"""From: <abusedesk@example.net>
Date: Tue, 24 Nov 2026 10:00:00 +0100
Subject: FW: Faktura 20260001, Strand kommune
To: <abuse@example.com>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part1_13d"

--part1_13d
Content-Type: text/plain; charset="US-ASCII"
Content-Transfer-Encoding: 7bit

This is an email abuse report for an email message received from IP 192.0.2.10.

--part1_13d
Content-Type: message/feedback-report

Feedback-Type: {feedback}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <{RETURNED_TO}>

--part1_13d
Content-Type: message/rfc822
Content-Disposition: inline

{ENCLOSED_HEAD.replace(f"Message-ID: <{KEY}@example.com>", "Message-ID: <redacted>")}
Hei
--part1_13d--
""".encode()


def out_of_office(head: str = "Auto-Submitted: auto-replied") -> bytes:
    """A holiday message, which names the mail that it answers."""
    return f"""From: Kari Nordmann <kari@example.net>
To: {RETURNED_TO}
Subject: Takk for e-posten
In-Reply-To: <{KEY}@example.com>
Date: Tue, 24 Nov 2026 09:00:10 +0100
Message-ID: <ooo-1@example.net>
{head}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Jeg er tilbake 1. desember.
""".encode()


def read_receipt() -> bytes:
    """The mail was shown (RFC 8098)."""
    return f"""From: Kari Nordmann <kari@example.net>
To: faktura@example.com
Subject: Lest: Faktura 20260001, Strand kommune
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="mdn"

--mdn
Content-Type: text/plain

Meldingen ble lest.
--mdn
Content-Type: message/disposition-notification

Final-Recipient: rfc822; kari@example.net
Original-Message-ID: <{KEY}@example.com>
Disposition: manual-action/MDN-sent-manually; displayed
--mdn--
""".encode()


def letter() -> bytes:
    """What a person writes back."""
    return f"""From: Kari Nordmann <kari@example.net>
To: faktura@example.com
Subject: SV: Faktura 20260001, Strand kommune
In-Reply-To: <{KEY}@example.com>
Content-Type: text/plain; charset=utf-8

Hei, dette skal ikke jeg betale. Hilsen Kari
""".encode()
