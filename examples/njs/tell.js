// In nginx: js_import tell.js; and a location with js_content tell.all;
// The body of the request goes to all workers, through a location /publish with
//
//   internal; ipc_publish news from=any;

async function all(r) {
    let reply = await r.subrequest('/publish', {method: 'POST', body: r.requestText});

    r.return(reply.status, reply.responseText);
}

export default {all};
