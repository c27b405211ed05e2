"""Pages of Codex Desktop in the shapes that public reports have seen, with names of our own: each version has other ones."""

from __future__ import annotations

# The list of models, filtered in a loop.
LOOP = (
    b"function Qx({authMethod:h,availableModels:$a,defaultModel:q,models:w,useHiddenModels:z}){let y=[],v=null,"
    b"_k=z&&h!==`amazonBedrock`,j=w.some(h=>h.deep);return w.forEach(m=>{if(_k?$a.has(m.model):!m.hidden){y.push(m)}}),y}"
)
# Earlier: of a settings object, and with a variable that the rest of the function uses.
SETTINGS = (
    b"function Lm(p){let g=Ws(),f=b();let K=g.useHiddenModels&&f!==`amazonBedrock`,O;return p.map(m=>K?g.availableModels.has(m):0)}"
)
# Later: a function of its own for one model …
HELPER = (
    b"function n4$({additionalAvailableModels:A,authMethod:B,availableModels:C,isCustomModelProvider:D=!1,"
    b"model:E,useHiddenModels:F}){return A?.has(E.model)===!0||E.model!==`codex-auto-review`"
    b"&&(F&&!D&&B!==`amazonBedrock`?C.has(E.model):!E.hidden)}"
)
# … and again later, where the models of a configured catalog are shown in any case.
CATALOG = (
    b"function vb({additionalAvailableModels:A,authMethod:B,availableModels:C,hasConfiguredModelCatalog:G,isCustomModelProvider:D,"
    b"model:E,useHiddenModels:F}){let H=E.programs?.x;return H===1?!1:A?.has(E.model)===!0||E.model!==`codex-auto-review`&&"
    b"(G&&!E.hidden||(F&&!D&&B!==`amazonBedrock`?C.has(E.model)||H===2:!E.hidden))}"
)
# With those comes a second place, of the settings object.
FILTER = b"const rr=(T,W,V)=>T.filter(e=>W.useHiddenModels&&V!==`amazonBedrock`?W.availableModels.has(e.model):!e.hidden);"
# Who calls the function has the same names in its parameters.
CALLER = (
    b"function cM({additionalAvailableModels:A,authMethod:B,availableModels:C,models:N,useHiddenModels:F}){let L=[];N.forEach(E=>{"
    b"if(n4$({additionalAvailableModels:A,authMethod:B,availableModels:C,model:E,useHiddenModels:F})){L.push(E)}});return L}"
)

RECENT = (
    b"class Hq{listRecentThreads({cursor:u,limit:i}){return this.params.requestClient.sendRequest(`thread/list`,{limit:i,cursor:u,"
    b"sortKey:this.recentConversationSortKey,modelProviders:null,archived:!1,sourceKinds:kS})}}"
)
RECENT_LATER = (
    b"class Hq{async listRecentThreads({cursor:u,limit:i,background:t=!1,useStateDbOnly:o=this.params.hostId!==LL}){let a={limit:i,"
    b"cursor:u,sortKey:this.params.requestClient.getCompatibleThreadSortKey(this.recentConversationSortKey),modelProviders:null,"
    b"archived:!1,sourceKinds:kS,useStateDbOnly:o},s=await this.params.requestClient.sendRequest(`thread/list`,a);return s}}"
)
# Other lists of threads, which stay as they are.
OTHER_LISTS = (
    b"class Rc{async listRecentThreads({limit:i}){return(await this.sendRequest(`thread/list`,{archived:!1,cursor:null,limit:i,"
    b"modelProviders:null,sortKey:`updated_at`})).data}listArchivedThreads(){return this.listAllThreads({modelProviders:null,"
    b"archived:!0})}}"
)

NEW = {
    "webview/assets/app-initial-Cq1.js": b'"use strict";' + HELPER + CALLER + FILTER,
    "webview/assets/threads-9aZ.js": OTHER_LISTS + RECENT_LATER,
}
